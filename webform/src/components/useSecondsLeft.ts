import { useEffect, useState } from 'react';

/** Whole seconds until a moment in epoch milliseconds; 0 once it has passed, or without one. */
export function useSecondsLeft(until: number | undefined): number {
  const [, tick] = useState(0);
  useEffect(() => {
    if (until === undefined) return;
    const timer = setInterval(() => {
      tick((count) => count + 1);
      if (Date.now() >= until) clearInterval(timer);
    }, 1_000);
    return () => clearInterval(timer);
  }, [until]);
  return until === undefined ? 0 : Math.max(0, Math.ceil((until - Date.now()) / 1_000));
}
