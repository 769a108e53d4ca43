# bash completion for torii
_torii() {
    local word=${COMP_WORDS[COMP_CWORD]} first=() i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            --socket | --url | --token | --ca | --cert | --key) ((i++)) ;;
            -*) ;;
            *) first+=("${COMP_WORDS[i]}") ;;
        esac
    done
    local words="--json --watch --help --socket --url --token --ca --cert --key"
    case "${first[*]}" in
        "") words+=" bgp route explain status top capture port neighbor liveness offload verify counters events token config import doctor drain tech-support" ;;
        bgp) words+=" neighbors neighbor peers groups clear soft-in soft-out shutdown enable drain dump" ;;
        "bgp dump") words+=" table updates --for" ;;
        "bgp neighbor") words+=" --why $(_torii_list neighbors address)" ;;
        "bgp clear" | "bgp soft-in" | "bgp soft-out" | "bgp shutdown" | "bgp enable" | "bgp drain")
            words+=" --group --reason $(_torii_list neighbors address)" ;;
        route) words+=" list show add delete" ;;
        "route list") words+=" --longer --source --neighbor --table --family --limit" ;;
        "route add "*) words+=" --via --discard --unreachable --distance" ;;
        port | neighbor) words+=" list" ;;
        offload) words+=" --rules drop undrop" ;;
        capture*) words+=" --write --exit --port --prefix --count --seconds --snap --one-in" ;;
        top) words+=" --interval --count" ;;
        counters*) words+=" --all" ;;
        events*)
            words+=" --limit --severity --follow --explain"
            [[ ${COMP_WORDS[COMP_CWORD - 1]} == --explain ]] && words=$(_torii_events) ;;
        tech-support)
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return ;;
        drain) words+=" on off" ;;
        "drain on") words+=" --reason --wait --below" ;;
        token) words+=" add" ;;
        import) words+=" frr" ;;
        config) words+=" show check diff edit reload commit confirm abort rollback save history" ;;
        "config show") words+=" --defaults --revision" ;;
        "config check" | "config diff" | "config commit" | "config edit" | "import frr")
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

# Names from the running router; silent when there is none.
_torii_list() {
    torii bgp "$1" --json 2>/dev/null | tr '{,' '\n\n' | sed -n "s/^\"$2\":\"\([^\"]*\)\".*/\1/p"
}

_torii_events() {
    torii events --explain --json 2>/dev/null | tr '{,' '\n\n' | sed -n 's/^"id":"\([^"]*\)".*/\1/p'
}

complete -F _torii torii
