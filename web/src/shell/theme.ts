import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();

export function isDark(): boolean {
  return document.documentElement.classList.contains("dark");
}

export function toggleTheme(): void {
  const dark = !isDark();
  document.documentElement.classList.toggle("dark", dark);
  try {
    localStorage.setItem("theme", dark ? "dark" : "light");
  } catch {
    // kept for this page only then
  }
  for (const tell of listeners) tell();
}

export function useDark(): boolean {
  return useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => listeners.delete(tell);
  }, isDark);
}
