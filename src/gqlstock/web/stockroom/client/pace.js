// Throttling: rendering once per frame, requests at a minimum interval.

// Faster than anybody reads, and a sixth of the work of every frame.
const BETWEEN_FRAMES = 100;

/** Collects the arguments of its calls and passes them on together before a frame is painted, up to ten times a second. */
export function perFrame(show) {
  let gathered = [];
  let last = -Infinity;
  const run = (now) => {
    const all = gathered;
    gathered = [];
    last = now;
    show(all);
  };
  return (one) => {
    if (gathered.push(one) > 1) return;
    setTimeout(() => requestAnimationFrame(run), Math.max(last + BETWEEN_FRAMES - performance.now(), 0));
  };
}

/** Runs `work` immediately, but never concurrently and at most once per interval. Calls meanwhile cause one more run. */
export function atMost(milliseconds, work) {
  let wanted = false;
  let running = false;
  const run = async () => {
    wanted = true;
    if (running) return;
    running = true;
    while (wanted) {
      wanted = false;
      await Promise.allSettled([work(), new Promise((resolve) => setTimeout(resolve, milliseconds))]);
    }
    running = false;
  };
  return run;
}
