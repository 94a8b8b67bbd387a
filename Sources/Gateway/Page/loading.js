/**
 * What to do when part of a page does not arrive. Browsers end what they are loading when the network changes, and one
 * module that is missing keeps all from running: without this the page would stay empty, without a word.
 *
 * No module, and its words stand here and not among the others: it has to run when those are missing.
 */
(() => {
  const MARK = 'roundhouse.loadedAgain';
  const WORDS = {
    de: ['Ein Teil dieser Seite ist nicht angekommen.', 'Noch einmal laden'],
    en: ['Part of this page did not arrive.', 'Load it again'],
    es: ['Una parte de esta página no ha llegado.', 'Cargarla de nuevo'],
    fr: ['Une partie de cette page n’est pas arrivée.', 'La recharger'],
    zh: ['此页面的一部分未能加载。', '重新加载'],
  };
  let isWhole = true;

  function say() {
    const language = navigator.languages.map((each) => each.slice(0, 2)).find((each) => each in WORDS) ?? 'en';
    const [what, again] = WORDS[language];
    const notice = document.createElement('p');
    notice.id = 'not-loaded';
    notice.className = 'noscript';
    notice.lang = language;
    notice.setAttribute('role', 'alert');
    const button = document.createElement('button');
    button.textContent = again;
    button.addEventListener('click', () => location.reload());
    const words = document.createElement('span');
    words.append(`${what} `, button);
    notice.append(words);
    document.body.append(notice);
    addEventListener('online', () => location.reload());
  }

  addEventListener('error', ({ target }) => {
    if (!(target instanceof HTMLScriptElement)) return;
    isWhole = false;
    if (sessionStorage.getItem(MARK)) return say();
    // A changed network is there again a moment later.
    sessionStorage.setItem(MARK, 'yes');
    setTimeout(() => location.reload(), 1000);
  }, true);
  addEventListener('load', () => isWhole && sessionStorage.removeItem(MARK));
})();
