import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { Dialog, DropdownMenu } from "radix-ui";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { Icon, Logo } from "../widgets/icons";
import { Button, Empty, Failure, IconButton, Kbd, Loading } from "../widgets/ui";
import { typing } from "./keys";
import { Bell } from "./Bell";
import { Login } from "./Login";
import { mayOpen, PAGES, type PageEntry } from "./pages";
import { type Me, useLogOut, useMe } from "./session";
import { toggleTheme, useDark } from "./theme";

const SecondFactor = lazy(() => import("../pages/account/SecondFactor"));
const Palette = lazy(() => import("./Palette"));

/** Around every page: menu, theme, palette, keys, and the login where one is needed. */
export function Shell() {
  const shared = useLocation({ select: (at) => at.pathname.startsWith("/share/") || at.pathname === "/invitation" });
  // links show one page to those without an account
  return shared ? (
    <main id="page">
      <Suspense fallback={<Loading on />}>
        <Outlet />
      </Suspense>
    </main>
  ) : (
    <Known />
  );
}

function Known() {
  const me = useMe();
  const owes = me.data?.owes_second_factor;
  const [owed, setOwed] = useState(false);
  useEffect(() => {
    if (owes) setOwed(true);
  }, [owes]);
  if (me.isPending) return <Loading on />;
  if (me.isError) {
    return (
      <main className="mx-auto max-w-lg p-8">
        <Failure error={me.error} retry={() => void me.refetch()} />
      </main>
    );
  }
  if (!me.data.known) return <Login through={me.data.login_through} />;
  // it stays after the code was confirmed, until the recovery codes were kept
  if (owes || owed) return <Owed me={me.data} onDone={() => setOwed(false)} />;
  return <Frame me={me.data} />;
}

/** Nothing but setting up the second factor, which the settings require. */
function Owed({ me, onDone }: { me: Me; onDone: () => void }) {
  const logOut = useLogOut();
  return (
    <main className="mx-auto grid max-w-2xl gap-4 p-4 pt-10">
      <div className="flex flex-wrap items-center gap-3">
        <Logo size={34} />
        <h1 className="flex-1">Set up a second factor</h1>
        <Button onClick={() => void logOut()}>Log out</Button>
      </div>
      <p>
        Users with the role {me.role} log in with a code of an authenticator app. Set it up to go on.
      </p>
      <Suspense fallback={<Loading on />}>
        <SecondFactor onDone={onDone} />
      </Suspense>
    </main>
  );
}

function Frame({ me }: { me: Me }) {
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const pages = PAGES.filter((page) => mayOpen(page, me) && (me.role !== "viewer" || page.viewers));
  useShellKeys(pages, () => setPalette(true), () => setHelp(true));
  const path = useLocation({ select: (at) => at.pathname });
  const current = PAGES.find((page) => path.startsWith(page.path));
  useEffect(() => {
    document.title = current ? `${current.title} · Snowgauge` : "Snowgauge";
  }, [current]);
  const allowed = !current || mayOpen(current, me);
  return (
    <div className="min-h-dvh md:grid md:grid-cols-[13.5rem_1fr]">
      <a href="#page" className="sr-only focus:not-sr-only focus:fixed focus:left-2 focus:top-2 focus:z-50 focus:rounded-lg focus:bg-raised focus:px-3 focus:py-2">
        Skip to the page
      </a>
      <Side pages={pages} me={me} onPalette={() => setPalette(true)} onHelp={() => setHelp(true)} />
      <TopBar title={current?.title ?? ""} me={me} onPalette={() => setPalette(true)} />
      <main id="page" tabIndex={-1} className="min-w-0 pb-20 outline-none md:pb-0">
        {allowed ? (
          <Suspense fallback={<Loading on />}>
            <Outlet />
          </Suspense>
        ) : (
          <Empty icon="key" title={`${current?.title} needs more rights`}>
            {me.apps ? `You have access to some applications only (${me.apps.join(", ")}), and this page is about all of them.` : `${me.role ? `${me.role[0]?.toUpperCase()}${me.role.slice(1)}s` : "This key"} can't open this page.`} An admin can change that under Access.
          </Empty>
        )}
      </main>
      <Tabs pages={pages} path={path} />
      {palette && (
        <Suspense>
          <Palette pages={pages} onClose={() => setPalette(false)} onHelp={() => setHelp(true)} />
        </Suspense>
      )}
      <Help open={help} pages={pages} onClose={() => setHelp(false)} />
    </div>
  );
}

function useShellKeys(pages: PageEntry[], onPalette: () => void, onHelp: () => void) {
  const navigate = useNavigate();
  const goes = useRef(0);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        onPalette();
        return;
      }
      if (event.metaKey || event.ctrlKey || event.altKey || typing(event.target)) return;
      if (Date.now() - goes.current < 1200) {
        const page = pages.find((one) => one.key === event.key);
        goes.current = 0;
        if (page) {
          event.preventDefault();
          void navigate({ to: page.path });
          return;
        }
      }
      if (event.key === "g") goes.current = Date.now();
      else if (event.key === "?") onHelp();
      else if (event.key === "t") toggleTheme();
    };
    // before the page's own keys, so that "g" and then a letter is one thing
    addEventListener("keydown", press, true);
    return () => removeEventListener("keydown", press, true);
  });
}

function Side({ pages, me, onPalette, onHelp }: { pages: PageEntry[]; me: Me; onPalette: () => void; onHelp: () => void }) {
  return (
    <div className="sticky top-0 hidden h-dvh flex-col gap-1 border-r border-line bg-sunken p-3 md:flex">
      <Link to="/" className="mb-2 flex items-center gap-2.5 rounded-lg px-2 py-1 font-semibold tracking-tight">
        <Logo size={26} />
        Snowgauge
      </Link>
      <button type="button" onClick={onPalette} className="mb-2 flex items-center gap-2 rounded-lg border border-line bg-surface px-2.5 py-1.5 text-ink-soft hover:border-line-strong">
        <Icon name="search" size={15} />
        <span className="flex-1 text-left">Go to…</span>
        <Kbd>⌘K</Kbd>
      </button>
      <nav aria-label="Pages" className="grid gap-0.5">
        {pages.map((page) => (
          <Link
            key={page.path}
            to={page.path}
            className="flex items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-ink-soft transition-colors hover:bg-surface hover:text-ink"
            activeProps={{ className: "!bg-accent-soft !text-accent-ink font-medium" }}
          >
            <Icon name={page.icon} size={17} />
            {page.title}
          </Link>
        ))}
      </nav>
      <div className="mt-auto flex items-center gap-0.5 border-t border-line pt-2">
        <UserMenu me={me} />
        <span className="flex-1" />
        {me.scopes?.includes("read:aggregates") && !me.apps && <Bell />}
        <ThemeButton />
        <a href="/docs/" aria-label="Documentation" title="Documentation" className="grid size-8 place-items-center rounded-lg text-ink-soft hover:bg-surface hover:text-ink">
          <Icon name="book" size={16} />
        </a>
        <button type="button" onClick={onHelp} aria-label="Keyboard shortcuts" title="Keyboard shortcuts" className="grid size-8 place-items-center rounded-lg text-ink-soft hover:bg-surface hover:text-ink">
          ?
        </button>
      </div>
    </div>
  );
}

function TopBar({ title, me, onPalette }: { title: string; me: Me; onPalette: () => void }) {
  return (
    <header className="sticky top-0 z-20 flex h-13 items-center gap-2 border-b border-line bg-surface px-3 md:hidden">
      <Logo size={24} />
      <span className="flex-1 truncate font-semibold">{title}</span>
      {me.scopes?.includes("read:aggregates") && !me.apps && <Bell />}
      <IconButton name="search" label="Go to…" onClick={onPalette} />
      <ThemeButton />
      <UserMenu me={me} short />
    </header>
  );
}

function ThemeButton() {
  const dark = useDark();
  return <IconButton name={dark ? "sun" : "moon"} label={dark ? "Light theme" : "Dark theme"} onClick={toggleTheme} />;
}

function UserMenu({ me, short }: { me: Me; short?: boolean }) {
  const logOut = useLogOut();
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="flex min-w-0 items-center gap-2 rounded-lg px-1.5 py-1 hover:bg-surface">
        <span className="sr-only">Signed in as {short ? me.name : ""}</span>
        {(short || me.kind !== "local") && (
          <span aria-hidden="true" className="grid size-6 place-items-center rounded-full bg-accent-soft text-xs font-semibold text-accent-ink">{(me.name ?? "?").slice(0, 1).toUpperCase()}</span>
        )}
        {!short && <span className="min-w-0 truncate text-[13px]">{me.name}</span>}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="start" sideOffset={6} className="fade-in z-40 min-w-52 rounded-xl border border-line bg-raised p-1.5 shadow-float">
          <div className="px-2.5 py-1.5 text-[13px] text-ink-soft">
            <div className="font-medium text-ink">{me.name}</div>
            {me.kind === "local" ? "No login needed: this port is open to this machine only." : me.role}
          </div>
          <DropdownMenu.Item asChild>
            <Link to="/account" className="flex cursor-pointer items-center gap-2 rounded-lg px-2.5 py-1.5 outline-none data-highlighted:bg-sunken">
              <Icon name="people" size={16} /> Your account
            </Link>
          </DropdownMenu.Item>
          {me.kind === "person" && (
            <DropdownMenu.Item onSelect={() => void logOut()} className="flex cursor-pointer items-center gap-2 rounded-lg px-2.5 py-1.5 outline-none data-highlighted:bg-sunken">
              <Icon name="out" size={16} /> Log out
            </DropdownMenu.Item>
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** On a phone: the pages that matter most within reach of the thumb, the rest behind "More". */
function Tabs({ pages, path }: { pages: PageEntry[]; path: string }) {
  const first = pages.slice(0, 4);
  const rest = pages.slice(4);
  const tab = "grid min-w-0 flex-1 justify-items-center gap-0.5 py-2 text-[11px] text-ink-soft";
  return (
    <nav aria-label="Pages" className="fixed inset-x-0 bottom-0 z-20 flex border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden">
      {first.map((page) => (
        <Link key={page.path} to={page.path} className={tab} activeProps={{ className: "!text-accent-ink font-medium" }}>
          <Icon name={page.icon} size={20} />
          <span className="max-w-full truncate px-1">{page.short ?? page.title}</span>
        </Link>
      ))}
      {rest.length > 0 && (
        <DropdownMenu.Root>
          <DropdownMenu.Trigger className={`${tab} ${rest.some((page) => path.startsWith(page.path)) ? "!text-accent-ink font-medium" : ""}`}>
            <Icon name="more" size={20} />
            More
          </DropdownMenu.Trigger>
          <DropdownMenu.Portal>
            <DropdownMenu.Content align="end" sideOffset={8} className="fade-in z-40 min-w-48 rounded-xl border border-line bg-raised p-1.5 shadow-float">
              {rest.map((page) => (
                <DropdownMenu.Item key={page.path} asChild>
                  <Link to={page.path} className="flex items-center gap-2.5 rounded-lg px-2.5 py-2 outline-none data-highlighted:bg-sunken">
                    <Icon name={page.icon} /> {page.title}
                  </Link>
                </DropdownMenu.Item>
              ))}
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
      )}
    </nav>
  );
}

function Help({ open, pages, onClose }: { open: boolean; pages: PageEntry[]; onClose: () => void }) {
  const rows: [string, string[]][] = [
    ["Go to anything", ["⌘", "K"]],
    ...pages.map((page): [string, string[]] => [page.title, ["g", page.key]]),
    ["Light or dark", ["t"]],
    ["Search this page", ["/"]],
    ["Refresh", ["r"]],
    ["Pause or resume Live", ["p"]],
    ["Columns of Live", ["c"]],
    ["Next and previous row", ["j", "k"]],
    ["Close a panel", ["Esc"]],
  ];
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fade-in fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content aria-describedby={undefined} className="fade-in fixed left-1/2 top-1/2 z-50 max-h-[85dvh] w-[26rem] max-w-[94vw] -translate-x-1/2 -translate-y-1/2 overflow-auto rounded-2xl border border-line bg-raised p-5 shadow-float">
          <div className="mb-3 flex items-center">
            <Dialog.Title className="flex-1">Keyboard shortcuts</Dialog.Title>
            <Dialog.Close asChild>
              <IconButton name="close" label="Close" />
            </Dialog.Close>
          </div>
          <dl className="grid gap-2">
            {rows.map(([what, keys]) => (
              <div key={what} className="flex items-center justify-between">
                <dt className="text-ink-soft">{what}</dt>
                <dd className="flex gap-1">
                  {keys.map((key) => (
                    <Kbd key={key}>{key}</Kbd>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
