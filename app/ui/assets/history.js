// Going to another page with a query, Streamlit writes two entries: first the new query on the old path, which is a
// page nobody asked for, then the new path. The second takes the place of the first here, so that Back leads to the
// list with its filters.
const AT_ONCE_MS = 3000

if (!window.accountIntelligenceHistory) {
  window.accountIntelligenceHistory = true
  const push = window.history.pushState
  let half = null

  window.history.pushState = function (state, unused, url) {
    const from = new URL(window.location.href)
    const to = new URL(url ?? from.href, from.href)
    const isSecond =
      half !== null &&
      half.href === from.href &&
      to.search === from.search &&
      to.pathname !== from.pathname &&
      Date.now() - half.at < AT_ONCE_MS
    half = null
    if (isSecond) {
      window.history.replaceState(state, unused, url)
      return
    }
    push.call(window.history, state, unused, url)
    if (to.pathname === from.pathname && to.search !== from.search) half = { href: to.href, at: Date.now() }
  }
}

// How wide the window is decides which columns a table can hold, and where its texts are cut: told when it changes.
const NARROW_PX = 1200

export default function (component) {
  const { data, setStateValue } = component
  let told = data?.isNarrow ?? false
  const tell = () => {
    const isNarrow = window.innerWidth < NARROW_PX
    if (isNarrow === told) return
    told = isNarrow
    setStateValue("narrow", isNarrow)
  }
  tell()
  window.addEventListener("resize", tell)
  return () => window.removeEventListener("resize", tell)
}
