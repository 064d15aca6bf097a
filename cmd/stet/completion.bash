# bash completion for stet. Use it with: source <(stet completion bash)
_stet() {
    local line=${COMP_LINE:0:COMP_POINT} IFS=$' \t\n' words cur prefix
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    cur=${words[${#words[@]} - 1]}
    # bash takes @, : and = for the ends of words: what stands before the last of
    # them in this word is typed already.
    prefix=${cur%"${COMP_WORDS[COMP_CWORD]}"}
    case ${COMP_WORDS[COMP_CWORD]} in
    [@:=]) prefix=$cur ;;
    esac
    IFS=$'\n'
    COMPREPLY=($(stet __complete "${words[@]:1}" 2>/dev/null))
    COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
}
complete -o default -F _stet stet
