// Light or dark: as the system has it, or as somebody chose it on this machine.

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
