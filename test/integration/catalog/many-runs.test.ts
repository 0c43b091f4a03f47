// The list's numbers where there are more runs than are counted.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorld, type World } from "../../support/world.ts";

const COUNT = 10_500;

let world: World;
beforeAll(async () => {
  world = await startWorld({}, {}, {}, { main: "bench/seeded-recorder/index.ts" });
  await world.request(`/seed/0/${COUNT}`, { method: "POST" });
});
afterAll(() => world.close());

async function fetchPage(query: string): Promise<string> {
  const answer = await world.request(`/results?${query}`, { headers: { accept: "text/html" } });
  return answer.text();
}

function findTotal(html: string): string {
  return /id="total">([^<]+)</.exec(html)?.[1] ?? "";
}

test("the list counts 10,000 runs and says that there are more, and counts all of a rare verdict", async () => {
  const html = await fetchPage("");
  expect(findTotal(html)).toBe("more than 10,000 runs");
  expect(html).toMatch(/captured <b>9,50\d\+<\/b>/);
  expect(html).toMatch(/lost <b>105<\/b>/);
  expect(html).toMatch(/silent <b>100\+<\/b>/);
  expect(html).not.toContain("abandoned <b>");
});

test("a search that finds more than are counted offers every verdict, because older runs can have it", async () => {
  const html = await fetchPage("q=usual");
  expect(findTotal(html)).toBe("more than 10,000 runs");
  expect(html).toMatch(/lost <b>\d+\+<\/b>/);
  expect(html).toContain("abandoned <b></b>");
});

test("the list has a rare verdict's runs that are older than those that are counted", async () => {
  const ids: string[] = [];
  let path = "/results?verdict=lost&limit=50";
  while (path !== "") {
    const answer = await world.request(path, { headers: { accept: "text/html" } });
    const html = await answer.text();
    expect(findTotal(html)).toBe("105 runs");
    ids.push(...[...html.matchAll(/<tr [^>]*data-id="resp_0*(\d+)"/g)].map((row) => row[1] ?? ""));
    path = /href="([^"]*)" rel="next"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";
  }
  expect(ids).toEqual(Array.from({ length: 105 }, (_, index) => `${index * 100}`));
});
