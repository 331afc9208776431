// Before anything is drawn, so that nobody who chose dark sees a white flash. A file, because inline scripts are refused.
try {
  const chosen = localStorage.getItem('theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch {
  /* without storage the system's choice holds */
}
