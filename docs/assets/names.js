// Long names in the tables of the lectures' slides may break where their words end.
document.querySelectorAll(".slides td code").forEach((code) => {
  code.innerHTML = code.innerHTML.replace(/(_|\.(?!py)|\/|::)/g, "$1<wbr>");
});
