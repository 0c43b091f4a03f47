// The workerd process of a Worker under `wrangler dev`, on Linux.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";

/**
 * Finds the Worker's process: wrangler runs two workerd in its process group, and the second is the Worker.
 * @param groupId wrangler's process group.
 */
export function findWorkerPid(groupId: number): number {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const found = pids.filter((pid) => isWorkerdOfGroup(pid, groupId)).map(Number);
  assert.equal(found.length, 2, "wrangler runs two workerd");
  return Math.max(...found);
}

function isWorkerdOfGroup(pid: string, groupId: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.includes("(workerd)") && stat.split(") ")[1]?.split(" ")[2] === String(groupId);
  } catch {
    return false;
  }
}
