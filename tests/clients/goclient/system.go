package main

import (
	"time"

	"bytes"

	"github.com/go-openapi/runtime"
	"github.com/go-openapi/strfmt"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/artifact"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/auditlog"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/configure"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/health"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/icon"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/immutable"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/label"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/member"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/permissions"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/ping"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/project"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/project_metadata"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/quota"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/repository"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/robot"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/search"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/statistic"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/system_cve_allowlist"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/systeminfo"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/user"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/usergroup"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/models"
)

// clients is client.New with a transport of the caller's.
func clients(transport runtime.ClientTransport, credentials runtime.ClientAuthInfoWriter) *client.HarborAPI {
	formats := strfmt.Default
	return &client.HarborAPI{
		Artifact:           artifact.New(transport, formats, credentials),
		Auditlog:           auditlog.New(transport, formats, credentials),
		Configure:          configure.New(transport, formats, credentials),
		Health:             health.New(transport, formats, credentials),
		Icon:               icon.New(transport, formats, credentials),
		Immutable:          immutable.New(transport, formats, credentials),
		Label:              label.New(transport, formats, credentials),
		Member:             member.New(transport, formats, credentials),
		Permissions:        permissions.New(transport, formats, credentials),
		Ping:               ping.New(transport, formats, credentials),
		Project:            project.New(transport, formats, credentials),
		ProjectMetadata:    project_metadata.New(transport, formats, credentials),
		Quota:              quota.New(transport, formats, credentials),
		Repository:         repository.New(transport, formats, credentials),
		Robot:              robot.New(transport, formats, credentials),
		Search:             search.New(transport, formats, credentials),
		Statistic:          statistic.New(transport, formats, credentials),
		SystemCVEAllowlist: system_cve_allowlist.New(transport, formats, credentials),
		Systeminfo:         systeminfo.New(transport, formats, credentials),
		User:               user.New(transport, formats, credentials),
		Usergroup:          usergroup.New(transport, formats, credentials),
	}
}

func (l *life) lookAround() {
	check(must(l.Ping.GetPing(l.ctx, &ping.GetPingParams{})).Payload == "Pong", "ping")
	overall := must(l.Health.GetHealth(l.ctx, &health.GetHealthParams{})).Payload
	// A server that has just started has jobs a moment later than answers.
	for deadline := time.Now().Add(120 * time.Second); overall.Status != "healthy" && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
		overall = must(l.Health.GetHealth(l.ctx, &health.GetHealthParams{})).Payload
	}
	check(overall.Status == "healthy" && len(overall.Components) > 0, "health: %+v", overall)
	info := must(l.Systeminfo.GetSystemInfo(l.ctx, &systeminfo.GetSystemInfoParams{})).Payload
	check(*info.HarborVersion != "" && *info.AuthMode == "db_auth", "systeminfo: %+v", info)
	volumes := must(l.Systeminfo.GetVolumes(l.ctx, &systeminfo.GetVolumesParams{})).Payload
	check(len(volumes.Storage) == 1 && volumes.Storage[0].Total > 0, "volumes: %+v", volumes)
	_, err := l.Systeminfo.GetCert(l.ctx, &systeminfo.GetCertParams{}, &bytes.Buffer{})
	refused[*systeminfo.GetCertNotFound](err)
	catalogue := must(l.Permissions.GetPermissions(l.ctx, &permissions.GetPermissionsParams{})).Payload
	check(len(catalogue.Project) > 0 && len(catalogue.System) > 0, "permissions: %+v", catalogue)
	totals := must(l.Statistic.GetStatistic(l.ctx, &statistic.GetStatisticParams{})).Payload
	check(totals.TotalProjectCount > 0, "statistics: %+v", totals)
}

// configure changes settings and puts them back. It names none that would disturb others who use the server.
func (l *life) configure() {
	get := func() *models.ConfigurationsResponse {
		return must(l.Configure.GetConfigurations(l.ctx, &configure.GetConfigurationsParams{})).Payload
	}
	set := func(banner string, updates bool) {
		settings := &models.Configurations{BannerMessage: &banner, ScannerSkipUpdatePulltime: &updates}
		must(l.Configure.UpdateConfigurations(l.ctx, &configure.UpdateConfigurationsParams{Configurations: settings}))
	}
	before := get()
	check(before.ReadOnly.Editable && !before.ReadOnly.Value, "read_only: %+v", before.ReadOnly)
	check(before.RobotNamePrefix.Value == "robot$", "robot_name_prefix: %+v", before.RobotNamePrefix)
	set(`{"message":"Gone fishing"}`, true)
	changed := get()
	check(changed.BannerMessage.Value == `{"message":"Gone fishing"}`, "banner_message: %+v", changed.BannerMessage)
	check(changed.ScannerSkipUpdatePulltime.Value, "scanner_skip_update_pulltime")
	check(changed.TokenExpiration.Value == before.TokenExpiration.Value, "a setting changed that was not named")
	set(before.BannerMessage.Value, before.ScannerSkipUpdatePulltime.Value)
	check(!get().ScannerSkipUpdatePulltime.Value, "the settings are not back")
	_, err := l.Configure.GetInternalconfig(l.ctx, &configure.GetInternalconfigParams{})
	refused[*configure.GetInternalconfigUnauthorized](err)
}

func (l *life) allowlist() {
	get := func() *models.CVEAllowlist {
		params := &system_cve_allowlist.GetSystemCVEAllowlistParams{}
		return must(l.SystemCVEAllowlist.GetSystemCVEAllowlist(l.ctx, params)).Payload
	}
	set := func(list *models.CVEAllowlist) {
		params := &system_cve_allowlist.PutSystemCVEAllowlistParams{Allowlist: list}
		must(l.SystemCVEAllowlist.PutSystemCVEAllowlist(l.ctx, params))
	}
	before := get()
	set(&models.CVEAllowlist{Items: []*models.CVEAllowlistItem{{CVEID: "CVE-2021-44228"}}})
	changed := get()
	check(len(changed.Items) == 1 && changed.Items[0].CVEID == "CVE-2021-44228", "allowlist: %+v", changed)
	set(before)
	check(len(get().Items) == len(before.Items), "the allowlist is not back")
}

func (l *life) find() {
	found := must(l.Search.Search(l.ctx, &search.SearchParams{Q: l.project})).Payload
	check(len(found.Project) == 1 && found.Project[0].Name == l.project, "search: %+v", found.Project)
	check(len(found.Repository) == 1 && found.Repository[0].ArtifactCount == 1, "search: %+v", found.Repository[0])
}

func (l *life) audit() {
	types := must(l.Auditlog.ListAuditLogEventTypes(l.ctx, &auditlog.ListAuditLogEventTypesParams{})).Payload
	check(len(types) > 10 && types[0].EventType != "", "event types: %+v", types)
	query := "operation=create,resource_type=project,resource=" + l.project
	extended := must(l.Auditlog.ListAuditLogExts(l.ctx, &auditlog.ListAuditLogExtsParams{Q: &query}))
	check(extended.XTotalCount == 1 && extended.Payload[0].OperationResult, "auditlog-exts: %+v", extended.Payload)
	must(l.Auditlog.ListAuditLogs(l.ctx, &auditlog.ListAuditLogsParams{PageSize: to[int64](5)}))
	own := must(l.Project.GetLogExts(l.ctx, &project.GetLogExtsParams{ProjectName: l.project, PageSize: to[int64](3)}))
	check(len(own.Payload) == 3 && own.XTotalCount > 3, "the project's log: %+v", own)
	check(own.Link != "", "a first page names no next one")
	must(l.Project.GetLogs(l.ctx, &project.GetLogsParams{ProjectName: l.project}))
}
