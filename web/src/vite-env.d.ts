/// <reference types="vite/client" />
import "react";

declare module "react" {
  interface CSSProperties {
    /** A width that the style sheet reads. */
    "--panel"?: string;
  }
}
