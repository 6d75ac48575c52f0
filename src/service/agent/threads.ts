/** The disk and the log file, also while HNS is slow: nothing is asked of HNS before the intent is on the disk. */
const FOR_DISK = 1;
/** The event log's service can hang like HNS; one event is written at a time. */
const FOR_EVENT_LOG = 1;
/** The service manager's dispatcher has its thread until the service has stopped. */
const FOR_DISPATCHER = 1;

/** How many calls are made to HNS at a time: as many as there are threads (UV_THREADPOOL_SIZE), but for those that others hold or need. At least 1. */
export function countParallelCalls(threads: string, { isWindows, isService }: { isWindows: boolean; isService: boolean }): number {
  const count = Number.parseInt(threads, 10);
  const others = FOR_DISK + (isWindows ? FOR_EVENT_LOG : 0) + (isService ? FOR_DISPATCHER : 0);
  return Math.max(1, (count > 0 ? count : 1) - others);
}
