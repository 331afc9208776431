// Streamlit takes a number when its field is left, so that a reload before lost it. A pause in typing says it is meant.
const PAUSE_MS = 400

if (!window.accountIntelligenceNumbers) {
  window.accountIntelligenceNumbers = true
  const pauses = new WeakMap()
  const typed = (event) => {
    const field = event.target
    if (!(field instanceof HTMLInputElement) || field.type !== "number") return
    clearTimeout(pauses.get(field))
    const take = () => field.isConnected && field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }))
    pauses.set(field, setTimeout(take, PAUSE_MS))
  }
  document.addEventListener("input", typed)
}
