// Prints what istiod makes of a cluster's objects, for a gateway and for a sidecar.
//
// It is copied into istio's own source tree and run there by record.py: istiod's program can't run without the API of
// a Kubernetes cluster any more, but its discovery server can, on a client that holds the objects in memory. The code
// that turns objects into Envoy's configuration is the same.
//
// Environment: CASES, a folder with a folder for each case that holds istio.yaml (Istio's objects) and kubernetes.yaml
// (services, endpoint slices, pods); each gets gateway.json and sidecar.json.
package record

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xds"
)

func read(t *testing.T, path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func listed[M proto.Message](t *testing.T, messages []M) []json.RawMessage {
	found := []json.RawMessage{}
	for _, message := range messages {
		text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, text)
	}
	return found
}

func TestRecord(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join(os.Getenv("CASES"), "*"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("CASES names no folder of cases: %v", err)
	}
	for _, folder := range cases {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
				ConfigString:           read(t, filepath.Join(folder, "istio.yaml")),
				KubernetesObjectString: read(t, filepath.Join(folder, "kubernetes.yaml")),
			})
			proxies := map[string]*model.Proxy{
				"gateway": {
					Type:            model.Router,
					ConfigNamespace: "istio-ingress",
					Labels:          map[string]string{"istio": "ingressgateway"},
					Metadata: &model.NodeMetadata{
						Namespace: "istio-ingress",
						Labels:    map[string]string{"istio": "ingressgateway"},
					},
				},
				"sidecar": {
					Type:            model.SidecarProxy,
					ConfigNamespace: "clients",
					Labels:          map[string]string{"app": "client"},
					Metadata:        &model.NodeMetadata{Namespace: "clients", Labels: map[string]string{"app": "client"}},
				},
			}
			for name, proxy := range proxies {
				server.SetupProxy(proxy)
				listeners := server.Listeners(proxy)
				text, err := json.MarshalIndent(map[string]any{
					"listeners": listed(t, listeners),
					"routes":    listed(t, server.RoutesFromListeners(proxy, listeners)),
					"clusters":  listed(t, server.Clusters(proxy)),
					"endpoints": listed(t, server.Endpoints(proxy)),
				}, "", " ")
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, name+".json"), text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
