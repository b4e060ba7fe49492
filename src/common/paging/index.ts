export { pageFault } from './checked-page.js';
export { CURSOR_MAX_LENGTH, cursorText, positionIn } from './cursor.js';
export { PageQuery } from './page.query.js';
