// Dark or light, as theme-first.js has set it; a choice is kept on this device only.

const KEY = "ringfence-theme";

export function isDark() {
  return document.documentElement.dataset.theme === "dark";
}

export function toggleTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem(KEY, theme);
  dispatchEvent(new Event("themechange"));
}
