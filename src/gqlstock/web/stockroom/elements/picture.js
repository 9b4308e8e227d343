// The picture of an item in a list, or an empty frame of the same size where there is none.

import { element } from './element.js';

export function picture(url) {
  const frame = element('span', { class: 'frame' });
  if (!url) return frame;
  const broken = () => image.remove();
  // Without alternative text: the name of the item is beside it.
  const image = element('img', {
    src: url,
    alt: '',
    width: 36,
    height: 36,
    loading: 'lazy',
    decoding: 'async',
    error: broken,
  });
  frame.append(image);
  return frame;
}
