// Only HTTP can set an HttpOnly cookie, and a page's script talks over a websocket: so it hands us a ticket, we exchange
// it, and reload, because the cookies a session sees are those of its handshake.
let busy = false

export default function (component) {
  const { data, setTriggerValue } = component
  if (busy) return
  busy = true
  fetch(`${data.base}/session/${data.step}`, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ticket: data.ticket }),
  })
    .then((answer) => {
      if (!answer.ok) throw new Error(String(answer.status))
      window.location.reload()
    })
    .catch(() => {
      busy = false
      setTriggerValue("failed", data.step)
    })
}
