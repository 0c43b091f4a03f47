import { ApiError, missing } from "../errors.ts";
import { newId, unix } from "../lib/ids.ts";
import type { File, Outcome } from "../interpreter/messages.ts";
import type { Pool } from "../interpreter/pool.ts";
import type { Workspace } from "../interpreter/python-worker.ts";
import type { Settings } from "../settings.ts";

const DATA = "/mnt/data";

export interface ContainerFile {
  id: string;
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
  source: "user" | "assistant";
  createdAt: number;
}

export interface Wishes {
  name?: string;
  memoryLimit?: string | undefined;
  minutes?: number | undefined;
  networkPolicy?: Record<string, unknown> | undefined;
}

/** Where calls run: files, and the time of the last use. */
export class Container implements Workspace {
  readonly id = newId("cntr");
  readonly createdAt = unix();
  readonly wishes: Wishes;
  readonly contents = new Map<string, ContainerFile>();
  revision = 0;
  usedAt = Date.now();
  expired = false;

  constructor(wishes: Wishes) {
    this.wishes = wishes;
  }

  files(): File[] {
    return [...this.contents.values()].map(({ path, bytes }) => [path, bytes]);
  }

  /** Takes over what a call wrote and removed. */
  apply({ changed, removed }: Outcome): void {
    for (const path of removed) this.remove(path);
    for (const [path, bytes] of changed) this.write(path, bytes, "assistant");
  }

  write(
    path: string,
    bytes: Uint8Array<ArrayBuffer>,
    source: ContainerFile["source"],
  ): ContainerFile {
    const id = this.contents.get(path)?.id ?? newId("cfile");
    const file = { id, path, bytes, source, createdAt: unix() };
    this.contents.set(path, file);
    this.revision += 1;
    return file;
  }

  upload(name: string, bytes: Uint8Array<ArrayBuffer>): ContainerFile {
    const safe = name.replaceAll("\\", "/").split("/").pop() ?? "";
    return this.write(
      `${DATA}/${safe === "" || /^\.+$/.test(safe) ? "file" : safe}`,
      bytes,
      "user",
    );
  }

  remove(path: string): void {
    this.contents.delete(path);
    this.revision += 1;
  }

  file(id: string): ContainerFile {
    const found = [...this.contents.values()].find((file) => file.id === id);
    if (!found) throw missing("Container file", id);
    return found;
  }
}

/** Every container there is, and when each has had its time. */
export class Containers {
  readonly #all = new Map<string, Container>();
  readonly #settings: Settings;
  readonly #pool: Pool;

  constructor(settings: Settings, pool: Pool) {
    this.#settings = settings;
    this.#pool = pool;
  }

  create(wishes: Wishes): Container {
    // Looking at them all ends those whose time is over; often enough to keep memory low.
    if (this.#all.size % 100 === 0) this.list();
    const container = new Container(wishes);
    this.#all.set(container.id, container);
    return container;
  }

  /** All of them, the expired ones too: those are listed for a while by the real API as well. */
  list(): Container[] {
    return [...this.#all.values()].map((container) => this.#aged(container));
  }

  /** A container as it is; reading about it is no use of it. */
  peek(id: string): Container {
    const container = this.#all.get(id);
    if (!container) throw missing("Container", id);
    return this.#aged(container);
  }

  /** A container for use: starts its time again, refuses an expired one. */
  use(id: string): Container {
    const container = this.peek(id);
    if (container.expired) throw new ApiError(400, "Container is expired.");
    container.usedAt = Date.now();
    return container;
  }

  alive(id: string): boolean {
    const container = this.#all.get(id);
    return container !== undefined && !this.#aged(container).expired;
  }

  expire(id: string): Container {
    return this.#end(this.peek(id));
  }

  delete(id: string): void {
    this.#end(this.peek(id));
    this.#all.delete(id);
  }

  /** The minutes without use that a container has. */
  minutes({ wishes }: Container): number {
    return wishes.minutes ?? this.#settings.containerMinutes;
  }

  #aged(container: Container): Container {
    const idle = Date.now() - container.usedAt;
    return idle >= this.minutes(container) * 60_000 ? this.#end(container) : container;
  }

  #end(container: Container): Container {
    if (container.expired) return container;
    container.expired = true;
    container.contents.clear();
    this.#pool.forget(container.id);
    return container;
  }
}
