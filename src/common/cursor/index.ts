export { cursorText, positionIn } from './cursor.js';
