// How often something is done that is wanted more often: what is shown once per frame, what is asked once in a while.

/** Gathers what it is called with, and hands all of it on before the next frame is painted. */
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

/** Runs `work` at once, but never twice at a time and not more often than this; what was wanted meanwhile is done after. */
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
