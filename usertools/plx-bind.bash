# SPDX-License-Identifier: BSD-3-Clause
# Completion of plx-bind for bash.
_plx_bind() {
	local cur=$2 prev=$3 command='' options='--help --json' word
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in status | bind | unbind | restore) command=$word && break ;; esac
	done
	case $command in
	'')
		mapfile -t COMPREPLY < <(compgen -W 'status bind unbind restore --help' -- "$cur")
		return
		;;
	status) options+=' --all' ;;
	bind) options+=' --dry-run --force --group --driver --owner' ;;
	unbind) options+=' --dry-run --force --group' ;;
	restore) options+=' --dry-run --force --kernel' ;;
	esac
	case $prev in
	--driver) mapfile -t COMPREPLY < <(compgen -W "vfio-pci $(ls /sys/bus/pci/drivers 2>/dev/null)" -- "$cur") ;;
	--owner) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	*)
		case $cur in
		-*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur") ;;
		*)
			# a colon ends a word for bash: what follows it is completed
			word=${COMP_LINE:0:COMP_POINT}
			word=${word##* }
			mapfile -t COMPREPLY < <(
				compgen -W "$(for f in /sys/bus/pci/devices/* /sys/class/net/* /sys/class/nvme/*; do
					[ -e "$f/device" ] && echo "${f##*/}"
				done)" -- "$word"
			)
			[[ $word != *:* ]] || COMPREPLY=("${COMPREPLY[@]#"${word%:*}":}")
			;;
		esac
		;;
	esac
}
complete -F _plx_bind plx-bind
