// One program holding etcd and the two Kubernetes control plane processes the
// sandbox runs. Which of them it is comes from the name it was started under,
// as with busybox: the set-up puts one link per command beside the binary.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func main() {
	switch command := filepath.Base(os.Args[0]); command {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllers.NewControllerManagerCommand()))
	default:
		fmt.Fprintf(os.Stderr, "%s: start me as etcd, kube-apiserver or kube-controller-manager\n", command)
		os.Exit(2)
	}
}
