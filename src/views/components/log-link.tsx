/** OpenAI's own page of a response, for those who may see its project. */
export function LogLink(props: { id: string }) {
  return (
    <a href={`https://platform.openai.com/logs/${encodeURIComponent(props.id)}`} rel="noreferrer">
      OpenAI's log
    </a>
  );
}
