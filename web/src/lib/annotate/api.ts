// What the annotation pages ask of the server (api/openapi.yaml, /api/ui/annotation).
import type { components } from "../../gen/api";
import { ask } from "../http";
import type { Answer } from "./answer";

type Schemas = components["schemas"];
export type ProjectRow = Schemas["AnnotationProjectRow"];
export type Project = Schemas["AnnotationProject"];
export type Settings = Schemas["AnnotationSettings"];
export type Rule = Schemas["AnnotationRule"];
export type Service = Schemas["AnnotationService"];
export type Suggester = Schemas["AnnotationSuggester"];
export type Counts = Schemas["AnnotationCounts"];
export type Work = Schemas["AnnotationWork"];
export type Saved = Schemas["SavedAnnotation"];
export type State = Schemas["AnnotationState"];
export type TaskRow = Schemas["AnnotationTaskRow"];
export type TaskPage = Schemas["AnnotationTaskPage"];
export type Change = Schemas["AnnotationChange"];
export type Agreement = Schemas["AnnotationAgreement"];
export type Progress = Schemas["AnnotationProgress"];
export type Imported = Schemas["AnnotationImport"];
export const states: readonly State[] = ["new", "begun", "answered", "reviewed"];

const root = "/ajax-api/ui/annotation";
const at = (name: string, more = "") => `${root}/${encodeURIComponent(name)}${more}`;
const query = (values: Record<string, string | undefined>) => {
  const search = new URLSearchParams(Object.entries(values).filter((one): one is [string, string] => !!one[1])).toString();
  return search && `?${search}`;
};

export interface TaskFilter {
  state: string;
  label: string;
  annotator: string;
  text: string;
}

export const keys = {
  projects: ["annotation"] as const,
  project: (name: string) => ["annotation", name] as const,
  progress: (name: string) => ["annotation", name, "progress"] as const,
  agreement: (name: string) => ["annotation", name, "agreement"] as const,
  tasks: (name: string, filter: TaskFilter) => ["annotation", name, "tasks", filter] as const,
  review: (name: string) => ["annotation", name, "review"] as const,
  task: (name: string, id: number) => ["annotation", name, "task", id] as const,
  history: (name: string, id: number) => ["annotation", name, "history", id] as const,
};

export const getProjects = (signal?: AbortSignal) => ask<{ projects: ProjectRow[] }>("GET", root, undefined, signal).then((answer) => answer.projects);
export const newProject = (name: string, settings: Partial<Settings>) => ask<Project>("POST", root, { name, settings });
export const getProject = (name: string, signal?: AbortSignal) => ask<Project>("GET", at(name), undefined, signal);
export const changeProject = (name: string, revision: number, settings: Settings) => ask<Project>("PUT", at(name), { revision, settings });
export const removeProject = (name: string) => ask("DELETE", at(name));
export const getProgress = (name: string, signal?: AbortSignal) => ask<Progress>("GET", at(name, "/progress"), undefined, signal);
export const getAgreement = (name: string, signal?: AbortSignal) => ask<Agreement>("GET", at(name, "/agreement"), undefined, signal);
export const kTaskPage = 200;
export const getTasks = (name: string, filter: TaskFilter, token: string | undefined, signal?: AbortSignal) =>
  ask<TaskPage>("GET", at(name, `/tasks${query({ ...filter, max_results: String(kTaskPage), page_token: token })}`), undefined, signal);
export const getReview = (name: string, token: string | undefined, signal?: AbortSignal) => ask<TaskPage>("GET", at(name, `/review${query({ page_token: token })}`), undefined, signal);
export const getHistory = (name: string, task: number, signal?: AbortSignal) => ask<{ changes: Change[] }>("GET", at(name, `/tasks/${task}/history`), undefined, signal).then((answer) => answer.changes);
export const getTask = (name: string, task: number, annotator: string | undefined, signal?: AbortSignal) => ask<Work>("GET", at(name, `/tasks/${task}${query({ annotator })}`), undefined, signal);
export const getSuggestions = (name: string, task: number, signal?: AbortSignal) =>
  ask<Pick<Work, "suggestions" | "pending">>("GET", at(name, `/tasks/${task}/suggestions`), undefined, signal);

export interface NewAnswer {
  revision: number;
  answer?: Answer;
  skipped: boolean;
  note: string;
  seconds: number;
}
// As the annotator; without accounts, under the name that was given.
export const asAnnotator = (name: string, annotator: string | undefined) => ({
  next: (except: number | undefined) => ask<{ work?: Work }>("POST", at(name, "/next"), { annotator, except }).then((answer) => answer.work),
  undo: () => ask<{ work?: Work }>("POST", at(name, "/undo"), { annotator }).then((answer) => answer.work),
  task: (task: number) => getTask(name, task, annotator),
  save: (task: number, answer: NewAnswer) => ask<Saved>("PUT", at(name, `/tasks/${task}/answer`), { ...answer, annotator }),
  suggestions: (task: number) => getSuggestions(name, task),
});
export type Annotator = ReturnType<typeof asAnnotator>;

export const review = (name: string, task: number, decision: Schemas["ReviewAnnotation"]) => ask<Saved>("PUT", at(name, `/tasks/${task}/review`), decision);
export const importFile = (name: string, file: Blob, format: string) => ask<Imported>("POST", at(name, `/import${query({ format })}`), file);
export const consensuses = ["majority", "dawid-skene"] as const;
export const exportUrl = (name: string, format: string, state: string, consensus = "") => at(name, `/export${query({ format, state, consensus })}`);
