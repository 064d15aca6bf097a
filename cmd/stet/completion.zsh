#compdef stet
# zsh completion for stet. Use it with: source <(stet completion zsh)
_stet() {
    local -a found
    found=("${(@f)$(stet __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n ${found[1]} ]]; then
        compadd -- "${found[@]}"
    else
        _files
    fi
}
compdef _stet stet
