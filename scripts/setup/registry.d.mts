export interface PackageRequest {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
  readonly files: readonly string[];
}
export function cacheFolder(): string;
export function fetchPackage(request: PackageRequest): string;
