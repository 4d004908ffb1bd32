package main

import (
	"strconv"

	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/project"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/project_metadata"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/quota"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/models"
)

func (l *life) createProject() {
	l.project = l.word + "-project"
	request := &models.ProjectReq{
		ProjectName:  l.project,
		StorageLimit: to[int64](1 << 30),
		Metadata:     &models.ProjectMetadata{Public: "false", AutoScan: to("true")},
	}
	made := must(l.Project.CreateProject(l.ctx, &project.CreateProjectParams{Project: request}))
	l.projectID = id(made.Location)
	_, err := l.Project.CreateProject(l.ctx, &project.CreateProjectParams{Project: request})
	refused[*project.CreateProjectConflict](err)
	must(l.Project.HeadProject(l.ctx, &project.HeadProjectParams{ProjectName: l.project}))
	_, err = l.Project.HeadProject(l.ctx, &project.HeadProjectParams{ProjectName: l.word + "-nobodys"})
	refused[*project.HeadProjectNotFound](err)
	named := must(l.Project.CreateProject(l.ctx, &project.CreateProjectParams{
		Project:                 &models.ProjectReq{ProjectName: l.word + "-named"},
		XResourceNameInLocation: to(true),
	}))
	check(named.Location == "/api/v2.0/projects/"+l.word+"-named", "Location: %s", named.Location)
	must(l.Project.DeleteProject(l.ctx, &project.DeleteProjectParams{ProjectNameOrID: l.word + "-named"}))
}

// numbered is the project's id where its name may stand too.
func (l *life) numbered() string { return strconv.FormatInt(l.projectID, 10) }

func (l *life) updateProject() {
	must(l.Project.UpdateProject(l.ctx, &project.UpdateProjectParams{
		ProjectNameOrID: l.numbered(),
		Project: &models.ProjectReq{
			Metadata:     &models.ProjectMetadata{Public: "true", PreventVul: to("false"), Severity: to("high")},
			CVEAllowlist: &models.CVEAllowlist{Items: []*models.CVEAllowlistItem{{CVEID: "CVE-2014-0160"}}},
		},
	}))
	named := &project.GetProjectParams{ProjectNameOrID: l.project, XIsResourceName: to(true)}
	shown := must(l.Project.GetProject(l.ctx, named)).Payload
	check(shown.Name == l.project && int64(shown.ProjectID) == l.projectID, "project: %+v", shown)
	check(shown.Metadata.Public == "true" && *shown.Metadata.AutoScan == "true", "metadata: %+v", shown.Metadata)
	check(*shown.Metadata.Severity == "high", "severity: %s", *shown.Metadata.Severity)
	check(shown.CVEAllowlist.Items[0].CVEID == "CVE-2014-0160", "allowlist: %+v", shown.CVEAllowlist)
	listed := must(l.Project.ListProjects(l.ctx, &project.ListProjectsParams{
		Name: to(l.word), Public: to(true), WithDetail: to(true), Page: to[int64](1), PageSize: to[int64](100),
	}))
	check(listed.XTotalCount == 1 && listed.Payload[0].Name == l.project, "projects: %+v", listed.Payload)
	summary := must(l.Project.GetProjectSummary(l.ctx, &project.GetProjectSummaryParams{ProjectNameOrID: l.project}))
	check(summary.Payload.ProjectAdminCount == 1, "summary: %+v", summary.Payload)
	check(summary.Payload.Quota.Hard["storage"] == 1<<30, "quota: %+v", summary.Payload.Quota)
	deletable := must(l.Project.GetProjectDeletable(l.ctx, &project.GetProjectDeletableParams{ProjectNameOrID: l.project}))
	check(deletable.Payload.Deletable, "an empty project: %+v", deletable.Payload)
}

func (l *life) metadata() {
	must(l.ProjectMetadata.AddProjectMetadatas(l.ctx, &project_metadata.AddProjectMetadatasParams{
		ProjectNameOrID: l.project, Metadata: map[string]string{"enable_content_trust": "false"},
	}))
	one := func() string {
		params := &project_metadata.GetProjectMetadataParams{ProjectNameOrID: l.project, MetaName: "auto_scan"}
		return must(l.ProjectMetadata.GetProjectMetadata(l.ctx, params)).Payload["auto_scan"]
	}
	check(one() == "true", "auto_scan: %q", one())
	must(l.ProjectMetadata.UpdateProjectMetadata(l.ctx, &project_metadata.UpdateProjectMetadataParams{
		ProjectNameOrID: l.project, MetaName: "auto_scan", Metadata: map[string]string{"auto_scan": "false"},
	}))
	check(one() == "false", "auto_scan: %q", one())
	must(l.ProjectMetadata.DeleteProjectMetadata(l.ctx, &project_metadata.DeleteProjectMetadataParams{
		ProjectNameOrID: l.project, MetaName: "auto_scan",
	}))
	all := must(l.ProjectMetadata.ListProjectMetadatas(l.ctx, &project_metadata.ListProjectMetadatasParams{
		ProjectNameOrID: l.project,
	})).Payload
	_, there := all["auto_scan"]
	check(!there && all["public"] == "true" && all["enable_content_trust"] == "false", "metadatas: %+v", all)
}

func (l *life) quotas() {
	listed := must(l.Quota.ListQuotas(l.ctx, &quota.ListQuotasParams{
		Reference: to("project"), ReferenceID: to(l.numbered()),
	})).Payload
	check(len(listed) == 1 && listed[0].Hard["storage"] == 1<<30, "quotas: %+v", listed)
	must(l.Quota.UpdateQuota(l.ctx, &quota.UpdateQuotaParams{
		ID: listed[0].ID, Hard: &models.QuotaUpdateReq{Hard: models.ResourceList{"storage": 2 << 30}},
	}))
	one := must(l.Quota.GetQuota(l.ctx, &quota.GetQuotaParams{ID: listed[0].ID})).Payload
	check(one.Hard["storage"] == 2<<30 && one.Used["storage"] == 0, "quota: %+v", one)
	of := one.Ref.(map[string]any)
	check(of["name"] == l.project, "the quota's project: %+v", of)
}
