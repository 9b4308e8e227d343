// Light or dark colors: the system's preference, or the choice stored in this browser.

const KEY = 'gqlstock.scheme';

export function start() {
  const select = document.getElementById('scheme');
  const show = (scheme) => {
    document.documentElement.dataset.scheme = scheme;
    select.value = scheme;
  };
  show(localStorage.getItem(KEY) ?? 'system');
  select.addEventListener('change', () => {
    localStorage.setItem(KEY, select.value);
    show(select.value);
  });
}
