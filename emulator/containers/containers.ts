import { ApiError, notFound } from "../errors.ts";
import type { ExecutionResult, FileEntry } from "../interpreter/messages.ts";
import type { InterpreterPool } from "../interpreter/pool.ts";
import type { Workspace } from "../interpreter/session.ts";
import type { Log } from "../lib/log.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";
import type { Settings } from "../settings.ts";
import type { UploadedFile } from "./uploads.ts";

const DATA_FOLDER = "/mnt/data";

/** How many containers are created between two sweeps, in addition to those of `state.ts` in time. */
const CREATIONS_PER_SWEEP = 100;

/** Beyond it, a sweep drops the oldest of the containers that have expired. */
const MAX_CONTAINERS = 1000;

export interface ContainerFile {
  id: string;
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
  source: "user" | "assistant";
  /** Unix seconds. */
  createdAt: number;
}

export interface ContainerOptions {
  name?: string;
  memoryLimit?: string | undefined;
  /** Minutes without use until it expires; the setting `containerMinutes` by default. */
  expiryMinutes?: number | undefined;
  networkPolicy?: Record<string, unknown> | undefined;
}

/** A container: its files, and the time of its last use. */
export class Container implements Workspace {
  readonly id = newId("cntr");
  /** Unix seconds. */
  readonly createdAt = toUnixSeconds();
  readonly options: ContainerOptions;
  readonly filesByPath = new Map<string, ContainerFile>();
  revision = 0;
  /** Milliseconds. */
  lastActiveAt = Date.now();
  expired = false;
  /** Another container has its interpreter now: it can't run code any more, but its files can still be read. */
  evicted = false;
  readonly #uploadIds = new Set<string>();

  constructor(options: ContainerOptions) {
    this.options = options;
  }

  files(): FileEntry[] {
    return [...this.filesByPath.values()].map(({ path, bytes }) => [path, bytes]);
  }

  /** Applies the file changes of an executed call. */
  applyResult({ changed, removed }: ExecutionResult): void {
    for (const path of removed) this.removeFile(path);
    this.writeFiles(changed);
  }

  /** Adds a file under the base name of `filename`. A file of that name is replaced and keeps its id. */
  addUpload(filename: string, bytes: Uint8Array<ArrayBuffer>): ContainerFile {
    const baseName = filename.replaceAll("\\", "/").split("/").pop() ?? "";
    const isUsable = baseName !== "" && !/^\.+$/.test(baseName);
    return this.#writeFile(`${DATA_FOLDER}/${isUsable ? baseName : "file"}`, bytes, "user");
  }

  /** Writes files as code would. */
  writeFiles(files: FileEntry[]): void {
    for (const [path, bytes] of files) this.#writeFile(path, bytes, "assistant");
  }

  /** Adds each uploaded file that it was not given before, so that a follow-up with the same ids keeps what code made of them. */
  addUploads(uploads: readonly UploadedFile[]): void {
    for (const { id, filename, bytes } of uploads) {
      if (this.#uploadIds.has(id)) continue;
      this.#uploadIds.add(id);
      this.addUpload(filename, bytes);
    }
  }

  removeFile(path: string): void {
    this.filesByPath.delete(path);
    this.revision += 1;
  }

  /** Returns a file; throws the API's 404 for an unknown id. */
  findFile(id: string): ContainerFile {
    const file = [...this.filesByPath.values()].find((candidate) => candidate.id === id);
    if (!file) throw notFound("Container file", id);
    return file;
  }

  #writeFile(
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
}

export interface ContainersOptions {
  settings: Settings;
  pool: InterpreterPool;
  log: Log;
}

/** All containers and their expiry. */
export class Containers {
  readonly #containers = new Map<string, Container>();
  #creations = 0;
  readonly #settings: Settings;
  readonly #pool: InterpreterPool;
  readonly #log: Log;

  constructor({ settings, pool, log }: ContainersOptions) {
    this.#settings = settings;
    this.#log = log;
    this.#pool = pool;
    pool.onEvict((id) => this.#evict(id));
  }

  /** Creates a container with copies of the uploaded files. */
  create(options: ContainerOptions, uploads: readonly UploadedFile[] = []): Container {
    this.#creations += 1;
    if (this.#creations % CREATIONS_PER_SWEEP === 0) this.sweep();
    const container = new Container(options);
    this.#containers.set(container.id, container);
    container.addUploads(uploads);
    return container;
  }

  /** Ends the interpreters of idle containers and frees their files, and drops the oldest that have expired if there are many. */
  sweep(): void {
    const expired = this.list().filter((container) => container.expired);
    const excess = Math.max(0, this.#containers.size - MAX_CONTAINERS);
    for (const { id } of expired.slice(0, excess)) this.#containers.delete(id);
  }

  /** All containers. Like the real API it also lists expired ones. */
  list(): Container[] {
    return [...this.#containers.values()].map((container) => this.#expireIfIdle(container));
  }

  /** Returns a usable container and restarts its expiry. Throws the API's 404 for an unknown id, its 400 for an expired one. */
  use(id: string): Container {
    const container = this.#find(id);
    if (container.expired || container.evicted) throw toExpiredError();
    container.lastActiveAt = Date.now();
    return container;
  }

  /** Like `use`, for requests that only read: an evicted container still answers them. */
  read(id: string): Container {
    const container = this.#find(id);
    if (container.expired) throw toExpiredError();
    container.lastActiveAt = Date.now();
    return container;
  }

  /** Whether a container exists and can run code. */
  isActive(id: string): boolean {
    const container = this.#containers.get(id);
    return container !== undefined && !this.#expireIfIdle(container).expired && !container.evicted;
  }

  /** Expires a container now. Throws the API's 404 for an unknown id. */
  expire(id: string): Container {
    return this.#expire(this.#find(id));
  }

  /** Deletes a container. Throws the API's 404 for an unknown id. */
  delete(id: string): void {
    this.#expire(this.#find(id));
    this.#containers.delete(id);
  }

  /** The minutes without use after which a container expires. */
  getExpiryMinutes({ options }: Container): number {
    return options.expiryMinutes ?? this.#settings.containerMinutes;
  }

  /** Unlike `use` this does not restart the container's expiry. */
  #find(id: string): Container {
    const container = this.#containers.get(id);
    if (!container) throw notFound("Container", id);
    return this.#expireIfIdle(container);
  }

  #expireIfIdle(container: Container): Container {
    const idleMs = Date.now() - container.lastActiveAt;
    const isIdle = idleMs >= this.getExpiryMinutes(container) * 60_000;
    return isIdle ? this.#expire(container) : container;
  }

  #evict(id: string): void {
    const container = this.#containers.get(id);
    if (!container) return;
    container.evicted = true;
    const limit = this.#settings.maxInterpreters;
    this.#log(
      `${id} expired: another container needs an interpreter, and maxInterpreters is ${limit}.`,
    );
  }

  #expire(container: Container): Container {
    if (container.expired) return container;
    container.expired = true;
    container.filesByPath.clear();
    this.#pool.release(container.id);
    return container;
  }
}

function toExpiredError(): ApiError {
  return new ApiError(400, "Container is expired.");
}
