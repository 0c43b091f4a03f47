import { renderToString } from "hono/jsx/dom/server";
import { expect, test } from "vitest";
import { Notification } from "../../../../src/views/run/notification.tsx";

const AT = "2026-11-27T10:00:00.000Z";
const NEXT = "2026-11-27T10:00:04.000Z";

test.each([
  [{ at: AT, status: 204, next_at: null }, "delivered 2026-11-27 10:00:00 UTC"],
  [
    { at: AT, status: 302, next_at: NEXT },
    "answered 302 2026-11-27 10:00:00 UTC; next attempt 2026-11-27 10:00:04 UTC",
  ],
  [
    { at: AT, status: null, next_at: NEXT },
    "no answer 2026-11-27 10:00:00 UTC; next attempt 2026-11-27 10:00:04 UTC",
  ],
  [{ at: AT, status: null, next_at: null }, "no answer 2026-11-27 10:00:00 UTC; given up"],
])("Notification says of %o: %s", (attempt, expected) => {
  const html = renderToString(<Notification attempt={attempt} />);
  expect(html.replaceAll(/<[^>]*>/g, "")).toBe(expected);
  expect(html).toContain(`datetime="${AT}"`);
});
