import { Instance } from '../support/instance.js';
import { startOwnCluster } from '../support/own-cluster.js';
import { running } from '../support/running.js';
import { SwaggerUi } from '../support/swagger-ui.js';
import { takeConsolePictures } from './console.js';

const PICTURE = 'docs/swagger-ui.png';
/** The URL that npm start prints. */
const SHOWN_AS = 'http://127.0.0.1:3000';
const WIDTH = 1000;
const MARGIN = 16;

/** Registers, logs in and reads the user, then takes a screenshot of the page from Authorize to the response. */
async function takePicture(ui: SwaggerUi): Promise<void> {
  await ui.execute('post', '/api/users');
  await ui.execute('post', '/api/login');
  const { status } = await ui.execute('get', '/api/user');
  if (status !== '200') {
    throw new Error(`GET /api/user was answered ${status}`);
  }
  await ui.fold('post', '/api/users');
  await ui.fold('post', '/api/login');
  await ui.page.evaluate('document.activeElement.blur(); window.scrollTo(0, 0)');
  await ui.page.mouse.move(0, 0);
  const top = (await ui.page.locator('.scheme-container').boundingBox())!;
  const answer = (await ui.answerBody('get', '/api/user').boundingBox())!;
  const height = Math.ceil(answer.y + answer.height + MARGIN - top.y);
  await ui.page.screenshot({
    path: PICTURE,
    fullPage: true,
    animations: 'disabled',
    clip: { x: 0, y: top.y, width: WIDTH, height },
  });
}

async function main(): Promise<void> {
  const own = await startOwnCluster();
  const instance = await Instance.start(own.variables);
  const ui = await SwaggerUi.open(instance.url, { shownAs: SHOWN_AS, width: WIDTH });
  await takePicture(ui);
  await ui.close();
  await instance.stop();
  const pictures = [PICTURE, ...(await takeConsolePictures(own))];
  await own.remove();
  process.stdout.write(`${pictures.join('\n')}\n`);
}

try {
  await main();
} finally {
  await Promise.all([...running].map(async (stop) => stop()));
}
