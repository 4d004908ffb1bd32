// Goclient leads a project through its whole life with goharbor's own Go client, and calls every operation of what
// Mooring serves on the way. It prints the operations it called, one a line, as "METHOD /path/{template}"; at the first
// answer that is not the expected one it says so and ends with status 1.
//
//	goclient URL USERNAME PASSWORD PROJECT/REPOSITORY DIGEST
//
// The named artifact, an image with a tag, is what the new project gets as a copy. It must have an accessory.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-openapi/runtime"
	httptransport "github.com/go-openapi/runtime/client"
	"github.com/go-openapi/strfmt"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/robotv1"
)

// failure is what a check panics with.
type failure string

// life is one run: the client, what the caller named, and what the acts have made so far.
type life struct {
	*client.HarborAPI
	legacy *robotv1.Client
	walked *recorder
	ctx    context.Context

	address          string
	source, digest   string // the artifact that is copied, as project/repository and digest
	word             string // what all names of this run begin with
	project          string
	projectID        int64
	user             string
	userID, memberID int64
	labelID          int64
}

// recorder keeps which operations were sent.
type recorder struct {
	runtime.ClientTransport
	operations map[string]bool
}

func (r *recorder) Submit(operation *runtime.ClientOperation) (any, error) {
	r.operations[operation.Method+" "+operation.PathPattern] = true
	return r.ClientTransport.Submit(operation)
}

func connect(address, username, password string) *life {
	server := must(url.Parse(address))
	credentials := httptransport.BasicAuth(username, password)
	transport := httptransport.New(server.Host, client.DefaultBasePath, []string{server.Scheme})
	transport.Consumers[runtime.JSONMime] = runtime.ConsumerFunc(consume)
	walked := &recorder{transport, map[string]bool{}}
	return &life{
		HarborAPI: clients(walked, credentials),
		legacy:    robotv1.New(walked, strfmt.Default, credentials),
		walked:    walked,
		address:   address,
		ctx:       context.Background(),
		word:      "g" + strconv.FormatInt(time.Now().UnixNano(), 36),
	}
}

// consume decodes JSON. The contract calls an addition a string whatever its media type, so JSON can be wanted as text.
func consume(body io.Reader, into any) error {
	if _, text := into.(*string); text {
		return runtime.TextConsumer().Consume(body, into)
	}
	return runtime.JSONConsumer().Consume(body, into)
}

// must is the answer of a call that is to succeed.
func must[T any](answer T, err error) T {
	if err != nil {
		panic(failure(err.Error()))
	}
	return answer
}

// refused checks that a call has failed with the error that the contract declares for it.
func refused[E error](err error) {
	var expected E
	check(errors.As(err, &expected), "%T expected, got %v", expected, err)
}

func check(holds bool, format string, arguments ...any) {
	if !holds {
		panic(failure(fmt.Sprintf(format, arguments...)))
	}
}

func to[T any](value T) *T { return &value }

// id is the number at the end of a Location.
func id(location string) int64 {
	return must(strconv.ParseInt(location[strings.LastIndex(location, "/")+1:], 10, 64))
}

func main() {
	defer func() {
		if reason := recover(); reason != nil {
			fmt.Fprintln(os.Stderr, "goclient:", reason)
			os.Exit(1)
		}
	}()
	check(len(os.Args) == 6, "give URL USERNAME PASSWORD PROJECT/REPOSITORY DIGEST")
	life := connect(os.Args[1], os.Args[2], os.Args[3])
	life.source, life.digest = os.Args[4], os.Args[5]
	for _, act := range []func(){
		life.lookAround, life.configure, life.allowlist,
		life.createProject, life.updateProject, life.metadata, life.quotas,
		life.createUser, life.changeUser, life.groups, life.members,
		life.systemRobot, life.projectRobot, life.legacyRobot, life.labels,
		life.copyArtifact, life.repositories, life.artifacts, life.tags, life.accessories, life.additions,
		life.immutability, life.find, life.audit, life.deleteAll,
	} {
		act()
	}
	for operation := range life.walked.operations {
		fmt.Println(operation)
	}
}
