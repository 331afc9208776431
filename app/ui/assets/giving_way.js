// A click on a name in the list asks for another action. Until that one is drawn, what stands beside the list takes
// neither a click nor a key: both would be meant for the other.
const UNANSWERED_MS = 3000

function giveWay(panel) {
  const app = document.querySelector("[data-test-script-state]")
  let hasBegun = false
  const end = () => {
    watch.disconnect()
    clearTimeout(unanswered)
    panel.inert = false
  }
  const watch = new MutationObserver(() => {
    const isRunning = app.dataset.testScriptState === "running"
    if (hasBegun && !isRunning) end()
    hasBegun ||= isRunning
  })
  panel.inert = true
  watch.observe(app, { attributeFilter: ["data-test-script-state"] })
  const unanswered = setTimeout(() => hasBegun || end(), UNANSWERED_MS)
}

if (!window.accountIntelligenceGivesWay) {
  window.accountIntelligenceGivesWay = true
  const clicked = (event) => {
    const table = event.target instanceof Element ? event.target.closest("[class*='st-key-action_list_']") : null
    const panel = document.querySelector(".st-key-action_panel")
    // the table itself shows by the cursor where a click asks for something
    if (table?.querySelector("canvas")?.style.cursor === "pointer" && panel) giveWay(panel)
  }
  document.addEventListener("click", clicked, true)
}
