/** Text with a little Markdown: headings, lists, emphasis, code and links. Nothing of it is HTML. */
import { Fragment, type ReactNode } from "react";

export function Markdown({ text }: { text: string }) {
  return <div className="grid gap-2 break-words">{blocks(text).map((block, at) => <Block key={at} block={block} />)}</div>;
}

type Block = { kind: "heading"; level: number; text: string } | { kind: "list"; ordered: boolean; items: string[] } | { kind: "code"; text: string } | { kind: "text"; text: string };

export function blocks(text: string): Block[] {
  const found: Block[] = [];
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  let open: string[] = [];
  const close = () => {
    if (open.length) found.push({ kind: "text", text: open.join("\n") });
    open = [];
  };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const heading = /^(#{1,3})\s+(.+)$/.exec(line);
    const item = /^\s*(?:[-*]|(\d+)[.)])\s+(.+)$/.exec(line);
    if (line.startsWith("```")) {
      close();
      const code: string[] = [];
      for (at += 1; at < lines.length && !lines[at]?.startsWith("```"); at += 1) code.push(lines[at] ?? "");
      found.push({ kind: "code", text: code.join("\n") });
    } else if (heading) {
      close();
      found.push({ kind: "heading", level: heading[1]?.length ?? 1, text: heading[2] ?? "" });
    } else if (item) {
      close();
      const last = found.at(-1);
      const ordered = item[1] !== undefined;
      if (last?.kind === "list" && last.ordered === ordered) last.items.push(item[2] ?? "");
      else found.push({ kind: "list", ordered, items: [item[2] ?? ""] });
    } else if (!line.trim()) close();
    else open.push(line);
  }
  close();
  return found;
}

function Block({ block }: { block: Block }) {
  switch (block.kind) {
    case "heading":
      return block.level === 1 ? <h3 className="text-lg font-semibold"><Inline text={block.text} /></h3> : <h4 className="font-semibold"><Inline text={block.text} /></h4>;
    case "code":
      return <pre className="rounded-lg bg-sunken p-2 whitespace-pre-wrap">{block.text}</pre>;
    case "list": {
      const items = block.items.map((item, at) => (
        <li key={at}>
          <Inline text={item} />
        </li>
      ));
      return block.ordered ? <ol className="list-decimal pl-5">{items}</ol> : <ul className="list-disc pl-5">{items}</ul>;
    }
    default:
      return (
        <p className="whitespace-pre-line">
          <Inline text={block.text} />
        </p>
      );
  }
}

const MARK = /\*\*([^*\n]+)\*\*|\*([^*\n]+)\*|`([^`\n]+)`|\[([^\]\n]+)\]\(([^)\s]+)\)/g;

/** Addresses of the web, of mail, and of this console; anything else is no link. */
export function safeAddress(address: string): string | null {
  return /^(?:https?:\/\/|mailto:|\/(?![/\\]))/i.test(address) ? address : null;
}

function Inline({ text }: { text: string }) {
  const parts: ReactNode[] = [];
  let from = 0;
  for (const found of text.matchAll(MARK)) {
    parts.push(text.slice(from, found.index));
    from = found.index + found[0].length;
    const [, strong, emphasis, code, label, address = ""] = found;
    const to = safeAddress(address);
    if (strong) parts.push(<strong>{strong}</strong>);
    else if (emphasis) parts.push(<em>{emphasis}</em>);
    else if (code) parts.push(<code className="rounded bg-sunken px-1">{code}</code>);
    else if (label && to)
      parts.push(
        <a href={to} rel="noreferrer noopener" target={to.startsWith("/") ? undefined : "_blank"} className="text-accent-ink underline">
          {label}
        </a>,
      );
    else parts.push(found[0]);
  }
  parts.push(text.slice(from));
  return parts.map((part, at) => <Fragment key={at}>{part}</Fragment>);
}
