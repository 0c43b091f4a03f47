// The Catalog whose calls sometimes fail, before they took effect or after it.
import { Catalog as RealCatalog } from "../../../../src/index.ts";
import { countOperation, drawFault, throwFault } from "./faults.ts";

/** The unchanged Catalog, with faults. */
export class Catalog extends RealCatalog {
  /** The operation of a row's version. All attempts with one version have the same fault: a single one would be retried within 50 ms. */
  readonly #versions = new Map<string, string>();

  override upsert(...given: Parameters<RealCatalog["upsert"]>): void {
    const [{ row }, version] = given;
    this.#withFault(this.#countVersion(`upsert of ${row.id}`, version), () =>
      super.upsert(...given),
    );
  }

  override remove(...given: Parameters<RealCatalog["remove"]>): void {
    const [{ id }, version] = given;
    this.#withFault(this.#countVersion(`removal of ${id}`, version), () => super.remove(...given));
  }

  override claim(...given: Parameters<RealCatalog["claim"]>): ReturnType<RealCatalog["claim"]> {
    const [{ key }] = given;
    return this.#withFault(countOperation(`claim of ${key}`), () => super.claim(...given));
  }

  override answer(...given: Parameters<RealCatalog["answer"]>): void {
    const [key] = given;
    this.#withFault(countOperation(`answer of ${key}`), () => super.answer(...given));
  }

  override release(...given: Parameters<RealCatalog["release"]>): void {
    const [key] = given;
    this.#withFault(countOperation(`release of ${key}`), () => super.release(...given));
  }

  #countVersion(name: string, version: number): string {
    const key = `${name}, version ${version}`;
    const operation = this.#versions.get(key) ?? countOperation(name);
    this.#versions.set(key, operation);
    return operation;
  }

  #withFault<T>(operation: string, work: () => T): T {
    const moment = drawFault(this.env, operation);
    if (moment === "before") throwFault("catalog", operation, moment);
    const result = work();
    if (moment !== null) throwFault("catalog", operation, moment);
    return result;
  }
}
