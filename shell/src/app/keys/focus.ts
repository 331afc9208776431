/** What has the focus, where that is something of the page in the frame too. Browsers give it back to neither by themselves. */
export function focused(): HTMLElement | null {
  const here = document.activeElement as HTMLElement | null;
  const inner = here instanceof HTMLIFrameElement ? (here.contentDocument?.activeElement as HTMLElement | null) : null;
  return inner && inner !== inner.ownerDocument.body ? inner : here;
}
