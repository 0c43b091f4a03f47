import { ApiError, notFound } from "../errors.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";
import type { FileEntry, ExecutionResult } from "../interpreter/messages.ts";
import type { InterpreterPool } from "../interpreter/pool.ts";
import type { Workspace } from "../interpreter/python-worker.ts";
import type { Settings } from "../settings.ts";

const DATA_FOLDER = "/mnt/data";

export interface ContainerFile {
  id: string;
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
  source: "user" | "assistant";
  createdAt: number;
}

export interface ContainerOptions {
  name?: string;
  memoryLimit?: string | undefined;
  minutes?: number | undefined;
  networkPolicy?: Record<string, unknown> | undefined;
}

/** Where calls run: files, and the time of the last use. */
export class Container implements Workspace {
  readonly id = newId("cntr");
  readonly createdAt = toUnixSeconds();
  readonly options: ContainerOptions;
  readonly filesByPath = new Map<string, ContainerFile>();
  revision = 0;
  lastActiveAt = Date.now();
  expired = false;

  constructor(wishes: ContainerOptions) {
    this.options = wishes;
  }

  files(): FileEntry[] {
    return [...this.filesByPath.values()].map(({ path, bytes }) => [path, bytes]);
  }

  /** Takes over what a call wrote and removed. */
  applyResult({ changed, removed }: ExecutionResult): void {
    for (const path of removed) this.remove(path);
    for (const [path, bytes] of changed) this.write(path, bytes, "assistant");
  }

  write(
    path: string,
    bytes: Uint8Array<ArrayBuffer>,
    source: ContainerFile["source"],
  ): ContainerFile {
    const id = this.filesByPath.get(path)?.id ?? newId("cfile");
    const file = { id, path, bytes, source, createdAt: toUnixSeconds() };
    this.filesByPath.set(path, file);
    this.revision += 1;
    return file;
  }

  upload(name: string, bytes: Uint8Array<ArrayBuffer>): ContainerFile {
    const safe = name.replaceAll("\\", "/").split("/").pop() ?? "";
    return this.write(
      `${DATA_FOLDER}/${safe === "" || /^\.+$/.test(safe) ? "file" : safe}`,
      bytes,
      "user",
    );
  }

  remove(path: string): void {
    this.filesByPath.delete(path);
    this.revision += 1;
  }

  file(id: string): ContainerFile {
    const found = [...this.filesByPath.values()].find((file) => file.id === id);
    if (!found) throw notFound("Container file", id);
    return found;
  }
}

/** Every container there is, and when each has had its time. */
export class Containers {
  readonly #all = new Map<string, Container>();
  readonly #settings: Settings;
  readonly #pool: InterpreterPool;

  constructor(settings: Settings, pool: InterpreterPool) {
    this.#settings = settings;
    this.#pool = pool;
  }

  create(wishes: ContainerOptions): Container {
    // Looking at them all ends those whose time is over; often enough to keep memory low.
    if (this.#all.size % 100 === 0) this.list();
    const container = new Container(wishes);
    this.#all.set(container.id, container);
    return container;
  }

  /** All of them, the expired ones too: those are listed for a while by the real API as well. */
  list(): Container[] {
    return [...this.#all.values()].map((container) => this.#expireIfIdle(container));
  }

  /** A container as it is; reading about it is no use of it. */
  peek(id: string): Container {
    const container = this.#all.get(id);
    if (!container) throw notFound("Container", id);
    return this.#expireIfIdle(container);
  }

  /** A container for use: starts its time again, refuses an expired one. */
  use(id: string): Container {
    const container = this.peek(id);
    if (container.expired) throw new ApiError(400, "Container is expired.");
    container.lastActiveAt = Date.now();
    return container;
  }

  isActive(id: string): boolean {
    const container = this.#all.get(id);
    return container !== undefined && !this.#expireIfIdle(container).expired;
  }

  expire(id: string): Container {
    return this.#expire(this.peek(id));
  }

  delete(id: string): void {
    this.#expire(this.peek(id));
    this.#all.delete(id);
  }

  /** The minutes without use that a container has. */
  minutesUntilExpiry({ options: wishes }: Container): number {
    return wishes.minutes ?? this.#settings.containerMinutes;
  }

  #expireIfIdle(container: Container): Container {
    const idle = Date.now() - container.lastActiveAt;
    return idle >= this.minutesUntilExpiry(container) * 60_000
      ? this.#expire(container)
      : container;
  }

  #expire(container: Container): Container {
    if (container.expired) return container;
    container.expired = true;
    container.filesByPath.clear();
    this.#pool.releaseContainer(container.id);
    return container;
  }
}
