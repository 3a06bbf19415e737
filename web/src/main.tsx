import "uplot/dist/uPlot.min.css";
import "./style.css";
import { render } from "preact";
import { QueryClientProvider } from "@tanstack/preact-query";
import { App } from "./app";
import { client } from "./lib/http";
import { fromMlflow, go } from "./lib/router";
import { takeReturn } from "./lib/session";

const known = location.pathname === "/" ? fromMlflow(location.hash) : undefined;
if (known) history.replaceState(null, "", known);
else if (location.pathname === "/" || location.pathname === "/ui") go(takeReturn() ?? "/ui/runs", true);

const root = document.getElementById("app")!;
root.textContent = "";
render(<QueryClientProvider client={client}><App /></QueryClientProvider>, root);
