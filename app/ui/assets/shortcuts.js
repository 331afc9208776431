// `?` asks for the list of keys, unless somebody is typing or a dialog is open: two cannot be open at once.
const TYPING = "input, textarea, select, [contenteditable='true'], [role='combobox'], [role='textbox']"

export default function (component) {
  const { setTriggerValue } = component
  const asked = (event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (event.target instanceof Element && event.target.closest(TYPING)) return
    if (document.querySelector("[role='dialog']")) return
    event.preventDefault()
    setTriggerValue("asked", true)
  }
  document.addEventListener("keydown", asked)
  return () => document.removeEventListener("keydown", asked)
}
