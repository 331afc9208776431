import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';
import { encode } from 'uqr';

/** The dark modules of a text's QR code as one SVG path in a square of `size` modules, the quiet zone of four included. */
export function qrPath(text: string): { size: number; path: string } {
  const { data, size } = encode(text, { ecc: 'M', border: 4 });
  const modules = data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')));
  return { size, path: modules.join('') };
}

/** A text as a QR code, drawn here: a secret in it reaches no other host. Dark on white in both themes, as cameras want it. */
@Component({
  selector: 'app-qr-picture',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <svg class="qr" role="img" [attr.aria-label]="label()" [attr.viewBox]="'0 0 ' + code().size + ' ' + code().size" shape-rendering="crispEdges">
      <rect width="100%" height="100%" fill="#fff" />
      <path fill="#000" [attr.d]="code().path" />
    </svg>
  `,
})
export class QrPicture {
  readonly text = input.required<string>();
  readonly label = input.required<string>();
  protected readonly code = computed(() => qrPath(this.text()));
}
