# SPDX-License-Identifier: BSD-3-Clause
# Completion of plx-hugepages for bash.
_plx_hugepages() {
	local cur=$2 prev=$3 command='' options='--help' word
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in show | reserve | clear | mount) command=$word && break ;; esac
	done
	case $command in
	'')
		mapfile -t COMPREPLY < <(compgen -W 'show reserve clear mount --help' -- "$cur")
		return
		;;
	show) options+=' --json' ;;
	reserve | clear) options+=' --json --size --node --dry-run' ;;
	mount) options+=' --size --mode --owner --dry-run' ;;
	esac
	case $prev in
	--size) mapfile -t COMPREPLY < <(compgen -W '2M 1G' -- "$cur") ;;
	--owner) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	--mode) COMPREPLY=() ;;
	--node)
		mapfile -t COMPREPLY < <(compgen -W \
			"$(printf '%s\n' /sys/devices/system/node/node* | sed 's/.*node//')" -- "$cur")
		;;
	*)
		case $cur in
		-*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur") ;;
		*) [ "$command" != mount ] || mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
		esac
		;;
	esac
}
complete -F _plx_hugepages plx-hugepages
