/** Where answers come from: the console's own API, or what a share link shows of it. */
import { createContext, useContext } from "react";
import { api, ask, type Schemas } from "../../api/client";
import { useMay } from "../../shell/session";
import type { Answer, Question } from "./question";

export interface Source {
  /** Tells one source's answers from another's. */
  key: string;
  shared: boolean;
  query: (question: Question, signal?: AbortSignal) => Promise<Answer>;
  values: (dimension: string, search: string, question: string, signal?: AbortSignal) => Promise<Schemas["Suggestion"][]>;
  /** All rows of an answer as a CSV file. */
  file: (question: Question) => Promise<Blob>;
  /** A ZIP of such files, by their names. */
  files: (files: { name: string; question: Question }[]) => Promise<Blob>;
  live: (app: string) => Promise<Schemas["Live"]>;
  definitions: () => Promise<Schemas["Definitions"]>;
  segments: () => Promise<Schemas["Segment"][]>;
  cohorts: () => Promise<Schemas["SavedCohort"][]>;
  /** Whether it may be asked for a dimension. */
  shows: (dimension: string) => boolean;
}

export const consoleSource: Source = {
  key: "",
  shared: false,
  query: (body, signal) => ask(api.POST("/api/v1/analytics/query", { body, signal })),
  values: (dimension, search, question, signal) => ask(api.GET("/api/v1/analytics/values", { params: { query: { dimension, search, question } }, signal })),
  file: (question) => ask<Blob>(api.GET("/api/v1/analytics/csv", { params: { query: { question: JSON.stringify(question) } }, parseAs: "blob" })),
  files: (files) => ask<Blob>(api.POST("/api/v1/analytics/files", { body: { files }, parseAs: "blob" })),
  live: (app) => ask(api.GET("/api/v1/analytics/live", { params: { query: app ? { app: [app] } : {} } })),
  definitions: () => ask(api.GET("/api/v1/analytics/definitions")),
  segments: () => ask(api.GET("/api/v1/analytics/segments")),
  cohorts: () => ask(api.GET("/api/v1/analytics/cohorts")),
  shows: () => true,
};

/** What visitors or sites may have written of a person, which no link shows. */
const HIDDEN = ["event:query", "event:fragment", "visit:login", "visit:search_term", "visit:utm_term", "segment", "cohort"];

export function sharedSource(id: string, opened: Schemas["Opened"]): Source {
  const headers = { authorization: `Share ${opened.ticket}` };
  const path = { share_id: id };
  const { dimensions } = opened.view;
  return {
    key: id,
    shared: true,
    query: (body, signal) => ask(api.POST("/api/v1/shared/{share_id}/query", { params: { path }, headers, body, signal })),
    values: (dimension, search, question, signal) => ask(api.GET("/api/v1/shared/{share_id}/values", { params: { path, query: { dimension, search, question } }, headers, signal })),
    file: (question) => ask<Blob>(api.GET("/api/v1/shared/{share_id}/csv", { params: { path, query: { question: JSON.stringify(question) } }, headers, parseAs: "blob" })),
    files: (files) => ask<Blob>(api.POST("/api/v1/shared/{share_id}/files", { params: { path }, headers, body: { files }, parseAs: "blob" })),
    live: () => ask(api.GET("/api/v1/shared/{share_id}/live", { params: { path }, headers })),
    definitions: () => ask(api.GET("/api/v1/shared/{share_id}/definitions", { params: { path }, headers })),
    segments: async () => [],
    cohorts: async () => [],
    shows: (name) => !name.startsWith("event:props:") && !HIDDEN.includes(name) && (!dimensions || name.startsWith("time") || dimensions.includes(name)),
  };
}

const Context = createContext<Source>(consoleSource);
export const SourceProvider = Context.Provider;

export function useSource(): Source {
  return useContext(Context);
}

/** Whether the one who looks has a right; through a share link only that to figures. */
export function useRight(scope: string): boolean {
  const { shared } = useSource();
  const may = useMay(scope);
  return shared ? scope === "read:aggregates" : may;
}
