// Before the first paint: the theme and the language that were chosen, so that nothing flashes. A script of its own, for
// the pages allow no inline ones.
try {
  const theme = localStorage.getItem("slipway.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  const chosen = localStorage.getItem("slipway.lang");
  document.documentElement.lang = chosen ?? (navigator.language.startsWith("zh") ? "zh" : "en");
} catch {
  // No storage in this window: the system's theme and English do.
}
export {};
