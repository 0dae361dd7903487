# SPDX-License-Identifier: BSD-3-Clause
# Completion of plx-stats for bash.
_plx_stats() {
	local cur=$2 prev=$3 command=watch options='--json' word
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in list | show | watch) command=$word && break ;; esac
	done
	[ "$command" = list ] || options+=' --filter --counter --sort --all'
	[ "$command" = watch ] && options+=' --interval --count --delta'
	case $prev in
	--sort) mapfile -t COMPREPLY < <(compgen -W 'file name packets bytes errors bursts' -- "$cur") ;;
	--filter | --counter | --interval | --count) COMPREPLY=() ;;
	*)
		case $cur in
		-*) mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$cur") ;;
		*)
			mapfile -t COMPREPLY < <(
				compgen -f -- "$cur"
				[ "$COMP_CWORD" -gt 1 ] || compgen -W 'list show watch' -- "$cur"
				[ "$command" = list ] || compgen -W \
					"$(plx-stats list 2>/dev/null | sed -n 's/^\([0-9]*\) .*/\1/p')" -- "$cur"
			)
			;;
		esac
		;;
	esac
}
complete -F _plx_stats plx-stats
