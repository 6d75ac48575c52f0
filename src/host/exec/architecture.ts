/** The processor as Kubernetes names it in the label kubernetes.io/arch. */
export function kubernetesArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}
