import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { reserveLargeBody } from "../../../../src/objects/recorder/large-bodies.ts";

const MINUTE_MS = 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Reservation = { isReserved: boolean; free: () => void };

/** Reserves room, and says whether there was some by now. */
function reserve(untilMs = Date.now() + MINUTE_MS): Reservation {
  const reservation: Reservation = { isReserved: false, free: () => undefined };
  void waitForRoom(reservation, untilMs);
  return reservation;
}

async function waitForRoom(reservation: Reservation, untilMs: number): Promise<void> {
  reservation.free = await reserveLargeBody(untilMs);
  reservation.isReserved = true;
}

test("a third large body waits until one of two is done", async () => {
  const [first, second, third] = [reserve(), reserve(), reserve()];
  await vi.advanceTimersByTimeAsync(MINUTE_MS / 2);
  expect([first, second, third].map(({ isReserved }) => isReserved)).toEqual([true, true, false]);
  second.free();
  second.free();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(third.isReserved).toBe(true);
  first.free();
  third.free();
});

test("a large body whose object died keeps its room until its time is up", async () => {
  const deadUntilMs = Date.now() + MINUTE_MS;
  const dead = [reserve(deadUntilMs), reserve(deadUntilMs)];
  const next = reserve(deadUntilMs + MINUTE_MS);
  await vi.advanceTimersByTimeAsync(MINUTE_MS - 1_000);
  expect(dead.every(({ isReserved }) => isReserved)).toBe(true);
  expect(next.isReserved).toBe(false);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(next.isReserved).toBe(true);
  next.free();
});
