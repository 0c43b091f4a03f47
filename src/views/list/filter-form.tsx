// The search and the filters of the list: a form that works without JavaScript.
import { toFilterParams, type ListQuery } from "../../api/queries.ts";
import { STARTED_BY, STATUSES, toWords } from "../text/labels.ts";

/** Filters with a field of their own under "More filters". */
const FOLDED = ["status", "model", "started_by", "held", "since", "until"];

type Option = { value: string; label: string };

const STATUS_OPTIONS = STATUSES.map((value) => ({ value, label: toWords(value) }));
const STARTED_BY_OPTIONS = Object.entries(STARTED_BY).map(([value, label]) => ({ value, label }));
const HELD_OPTIONS = [
  { value: "true", label: "yes" },
  { value: "false", label: "no" },
];

/** The form. `models` are offered for the model's field. */
export function FilterForm(props: { query: ListQuery; models: string[] }) {
  const { query, models } = props;
  const filters = toFilterParams(query);
  const isFoldedUsed = filters.some(([name]) => FOLDED.includes(name) || isMetadata(name));
  return (
    <form class="filter" method="get" action="/results" role="search" id="filter">
      <div class="filter-search">
        <input
          type="search"
          name="q"
          value={query.q ?? ""}
          maxlength={500}
          aria-label="Search"
          placeholder="Search, or paste an id"
          title="What was asked, printed or said, or the id of a response"
        />
        <button class="primary">Search</button>
      </div>
      <details open={isFoldedUsed}>
        <summary>More filters</summary>
        <div class="filter-fields">
          <Select name="status" label="Status" options={STATUS_OPTIONS} value={query.status} />
          <Field name="model" label="Model" value={query.model} list="models" />
          <Select
            name="started_by"
            label="Started by"
            options={STARTED_BY_OPTIONS}
            value={query.started_by}
          />
          <Select name="held" label="Held" options={HELD_OPTIONS} value={query.held} />
          <TimeField name="since" label="Since (UTC)" value={query.since} />
          <TimeField name="until" label="Until (UTC)" value={query.until} />
          <Field
            name="metadata"
            label="Metadata"
            value={undefined}
            pattern="[^=]+=.+"
            placeholder="key=value"
          />
          <button>Apply</button>
        </div>
        <datalist id="models">
          {models.map((model) => (
            <option value={model} />
          ))}
        </datalist>
      </details>
      {filters
        .filter(([name]) => name === "verdict" || isMetadata(name))
        .map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
    </form>
  );
}

function isMetadata(name: string): boolean {
  return name.startsWith("metadata[");
}

function Select(props: {
  name: string;
  label: string;
  options: Option[];
  value: string | undefined;
}) {
  const { name, label, options, value } = props;
  const others = options.some((option) => option.value === value) ? [] : [{ value, label: value }];
  return (
    <label>
      <span>{label}</span>
      <select name={name}>
        <option value="">any</option>
        {[...options, ...(value === undefined ? [] : others)].map((option) => (
          <option value={option.value} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}

function Field(props: {
  name: string;
  label: string;
  value: string | undefined;
  type?: string;
  list?: string;
  pattern?: string;
  placeholder?: string;
}) {
  const { label, value, ...input } = props;
  return (
    <label>
      <span>{label}</span>
      <input {...input} value={value ?? ""} autocomplete="off" />
    </label>
  );
}

// A field for days can't show a time, and would send an empty value in its place.
function TimeField(props: { name: string; label: string; value: string | undefined }) {
  const isDay = props.value === undefined || !props.value.includes("T");
  return <Field {...props} type={isDay ? "date" : "text"} />;
}
