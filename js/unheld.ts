/** A timer that keeps no process alive. In pages nothing does, and a timer is a number. */
export function unheld<Timer>(timer: Timer): Timer {
  (timer as { unref?: () => void }).unref?.();
  return timer;
}
