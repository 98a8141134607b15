/** Answers as rows, first what is counted. */
import type { Schemas } from "../api/client";
import type { Rows } from "../sql/SqlResult";
import { isOf } from "./kinds";

export function rowsOf(given: Schemas["ReportAnswer"]): Rows {
  if (isOf(given, "trends")) {
    const { labels, results } = given.answer;
    return { columns: ["Time", ...results.map((line) => line.label)], rows: labels.map((label, at) => [label, ...results.map((line) => line.values[at] ?? null)]) };
  }
  if (isOf(given, "funnel")) return { columns: ["Step", "Count", "% of first", "% of step before"], rows: (given.answer.results[0]?.steps ?? []).map((step) => [step.label, step.count, tenth(step.of_first), tenth(step.of_before)]) };
  if (isOf(given, "retention")) {
    const cohorts = given.answer.results[0]?.cohorts ?? [];
    const width = Math.max(0, ...cohorts.map((one) => one.rates.length));
    return { columns: ["Began", "People", ...Array.from({ length: width }, (_, at) => `${at}, %`)], rows: cohorts.map((one) => [one.label, one.size, ...Array.from({ length: width }, (_, at) => tenth(one.rates[at] ?? null))]) };
  }
  if (isOf(given, "lifecycle")) return { columns: ["Time", "New", "Returning", "Resurrecting", "Dormant", "Active"], rows: given.answer.results.map((one) => [one.label, one.new, one.returning, one.resurrecting, one.dormant, one.active]) };
  if (isOf(given, "stickiness")) return { columns: ["Intervals", "People", "In as many or more"], rows: given.answer.results.map((one) => [one.intervals, one.people, one.at_least]) };
  if (isOf(given, "journeys")) {
    const names = new Map(given.answer.nodes.map((node) => [node.id, node.name || `(${node.what})`]));
    return { columns: ["From", "To", "People"], rows: given.answer.links.map((link) => [names.get(link.source) ?? "", names.get(link.target) ?? "", link.people]) };
  }
  return { columns: [], rows: [] };
}

function tenth(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10;
}
