export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
}
export function capture(command: string, args: readonly string[], options?: RunOptions): string;
export function runVisible(command: string, args: readonly string[], options?: Omit<RunOptions, "timeoutMs">): Promise<number>;
export function findProgram(name: string): string | undefined;
