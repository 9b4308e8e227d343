// Throttling: rendering once per frame, requests at a minimum interval.

/** Collects the arguments of its calls and passes them on together before the next frame is painted. */
export function perFrame(show) {
  let gathered = [];
  return (one) => {
    if (gathered.push(one) > 1) return;
    requestAnimationFrame(() => {
      const all = gathered;
      gathered = [];
      show(all);
    });
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
